"""The one exception that is meant for the person who uses the program."""


class DigitLabError(Exception):
    """Something a person did or gave cannot be used; the message is a sentence for that person.

    Everything else that is raised is a bug and may crash loudly.
    """
