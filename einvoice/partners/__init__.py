"""Network profiles and house policies: for whom, by which format and channel, and which document goes where.

profile = load_profile(Path("acme.profile.toml"))
findings = lint(profile, laws(), houses, on=day)
outcome = route(facts, [Entry(profile)], houses, on=day)      # Routed or NotRouted
stretches = preview(profile, laws(), house, day)
"""

from .house import House as House
from .house import PaymentOption as PaymentOption
from .house import load_house as load_house
from .house import load_houses as load_houses
from .house import rounding_of as rounding_of
from .house import sellers_of as sellers_of
from .house import with_seller as with_seller
from .lint import lint as lint
from .loading import load_profile as load_profile
from .loading import load_profiles as load_profiles
from .loading import preset_of as preset_of
from .loading import settings_of as settings_of
from .preview import Stretch as Stretch
from .preview import preview as preview
from .preview import unable as unable
from .preview import wish_of as wish_of
from .profile import Profile as Profile
from .routing import Book as Book
from .routing import Candidate as Candidate
from .routing import Entry as Entry
from .routing import Miss as Miss
from .routing import NotRouted as NotRouted
from .routing import Routed as Routed
from .routing import overlaps as overlaps
from .routing import route as route
from .routing import with_buyer as with_buyer
from .schema import profile_schema as profile_schema
from .schema import profile_schema_text as profile_schema_text
