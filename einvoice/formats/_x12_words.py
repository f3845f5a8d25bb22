"""What the error codes of acknowledgements mean, in plain words (X12 004010 and 005010 data elements)."""

#: 715 and 717: what became of a group or a set.
VERDICTS = {
    "A": "accepted", "E": "accepted, with errors noted", "P": "partially accepted", "R": "rejected",
    "M": "rejected, authentication failed", "W": "rejected, assurance failed", "X": "rejected, could not be decrypted",
}  # fmt: skip
#: 716: the group.
GROUP = {
    "1": "the group is not supported", "2": "the version is not supported", "3": "the group trailer is missing",
    "4": "the control numbers of GS and GE differ", "5": "the number of sets is wrong",
    "6": "the control number is not one", "10": "authentication key name unknown", "17": "security not supported",
    "18": "set in a group of another kind", "23": "the control number of the set is not unique",
}  # fmt: skip
#: 718: the set.
SET = {
    "1": "the set is not supported", "2": "the set trailer is missing", "3": "the control numbers of ST and SE differ",
    "4": "the number of segments is wrong", "5": "segments are in error", "6": "the set identifier is not one",
    "7": "the control number is not one", "18": "set in a group of another kind",
    "23": "the control number is not unique", "I5": "the implementation convention is not met",
    "I6": "the implementation convention is not supported",
}  # fmt: skip
#: 720: the segment.
SEGMENT = {
    "1": "unknown segment", "2": "unexpected segment", "3": "mandatory segment missing", "4": "loop occurs too often",
    "5": "segment occurs too often", "6": "segment not in this set", "7": "segment out of sequence",
    "8": "data elements in error", "I4": "not used here", "I6": "dependent segment missing",
    "I7": "loop occurs too seldom", "I8": "segment below its least use", "I9": "dependent segment not used here",
}  # fmt: skip
#: 723: the data element.
ELEMENT = {
    "1": "mandatory and missing", "2": "needed here and missing", "3": "too many data elements", "4": "too short",
    "5": "too long", "6": "invalid character", "7": "invalid code", "8": "invalid date", "9": "invalid time",
    "10": "excluded here", "12": "repeats too often", "13": "too many components", "I6": "code not used here",
    "I9": "dependent element missing", "I10": "not used here", "I11": "repeats too seldom",
    "I12": "pattern not met", "I13": "dependent element not used here",
}  # fmt: skip
#: I18: the interchange.
INTERCHANGE = {
    "000": "no error", "001": "the control numbers of ISA and IEA differ", "002": "the standard is not supported",
    "003": "the version is not supported", "004": "the segment terminator is not one",
    "005": "the qualifier of the sender is not one", "006": "the sender is not one",
    "007": "the qualifier of the receiver is not one", "008": "the receiver is not one",
    "009": "the receiver is unknown", "010": "the authorisation qualifier is not one",
    "011": "the authorisation is not one", "012": "the security qualifier is not one",
    "013": "the security information is not one", "014": "the date is not one", "015": "the time is not one",
    "016": "the standards identifier is not one", "017": "the version is not one",
    "018": "the control number is not one", "019": "the acknowledgement request is not one",
    "020": "the usage indicator is not one", "021": "the number of groups is wrong",
    "022": "the control structure is not one", "023": "the transmission ends too early",
    "024": "the content is not one", "025": "the control number was used before",
    "026": "the element separator is not one", "027": "the component separator is not one",
}  # fmt: skip
