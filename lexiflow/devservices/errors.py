"""What goes wrong with the local servers, said in words for the person at the terminal."""


class DevServicesError(RuntimeError):
    """A local server cannot be started, reached or stopped; the message says why and what to do."""
