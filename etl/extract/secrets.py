"""The credential of a source: what is sent, and all that is ever shown of it."""

from dataclasses import dataclass, field

from etl.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True, slots=True)
class Secret:
    """The header that proves who we are; ``variable`` is where its value came from, and all that is ever shown.

    Raises ``ConfigurationError`` when built with a value that no header can carry.
    """

    header: str
    value: str = field(repr=False)
    variable: str

    def __post_init__(self) -> None:
        if not (self.value and self.value.isascii() and self.value.isprintable() and self.value == self.value.strip()):
            raise ConfigurationError(f"the credential in {self.variable} is no plain text on one line; set it again")

    @property
    def spellings(self) -> tuple[str, ...]:
        """The value with and without its prefix (``Bearer``)."""
        return (self.value, self.value.split()[-1])
