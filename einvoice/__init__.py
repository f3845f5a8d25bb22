"""E-invoicing document exchange: one canonical invoice, every format and network, delivered once and proven."""

__version__ = "0.1.0"
