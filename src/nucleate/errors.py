"""The one exception that means: the input is wrong, and this line says how."""


class UserError(ValueError):
    """Bad input. The message is one clear line; the command line prints it and exits with code 2."""
