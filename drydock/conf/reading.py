"""Reads every option once. Errors name the option and what it accepts, never its value.

oslo.config's own messages repeat the value, which may be a password, or the part of one after a ``$``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from oslo_config import cfg, iniparser, types

from drydock.conf.sources import Sources
from drydock.conf.types import Refused
from drydock.errors import ConfigurationError

#: An option's type, and what it accepts. The first that matches applies.
_WANTED: Sequence[tuple[type[types.ConfigType], str]] = (
    (types.Boolean, "true or false"),
    (types.Integer, "a whole number"),
    (types.Number, "a number"),
    (types.URI, "a URL with a host"),
    (types.Dict, "a list of NAME:VALUE pairs, separated by commas"),
)


def read_files(conf: cfg.ConfigOpts, args: Sequence[str], default_files: Sequence[str]) -> None:
    """Parse arguments and files. Raises ``ConfigurationError`` for a file that cannot be read."""
    try:
        conf(list(args), project="drydock", default_config_files=list(default_files), default_config_dirs=[])
    except cfg.ConfigFileParseError as exc:
        raise ConfigurationError(_unparsed(exc)) from None
    except cfg.ConfigFilesNotFoundError as exc:
        raise ConfigurationError(f"{', '.join(exc.config_files)}: there is no such file") from None
    except cfg.ConfigFilesPermissionDeniedError as exc:
        named = ", ".join(exc.config_files)
        raise ConfigurationError(f"{named}: this process's user may not read the file") from None
    except cfg.ConfigDirNotFoundError as exc:
        raise ConfigurationError(f"{exc.config_dir}: there is no such directory") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"a configuration file is not text in UTF-8: {_named(args, default_files)}") from None
    except OSError as exc:
        raise ConfigurationError(f"{exc.filename}: {exc.strerror}") from None
    except cfg.Error as exc:
        # The remaining errors hold no value.
        raise ConfigurationError(f"the configuration cannot be read: {type(exc).__name__}") from None


def read_values(conf: cfg.ConfigOpts, options: Mapping[str, Sequence[cfg.Opt]], sources: Sources) -> None:
    """Convert each value now; oslo.config would do so at first use. Raises ``ConfigurationError``."""
    for group, members in options.items():
        section = conf if group == "DEFAULT" else conf[group]
        for option in members:
            try:
                value = section[option.dest]
            except (cfg.NoSuchOptError, cfg.NoSuchGroupError, cfg.TemplateSubstitutionError, RecursionError):
                wrong = "$NAME in it names an option that does not exist; write $$ for a plain $"
                raise ConfigurationError(f"{sources.place(group, option)}: {wrong}") from None
            except (cfg.Error, ValueError) as exc:
                raise ConfigurationError(f"{sources.place(group, option)}: {_refused(exc) or wanted(option)}") from None
            if isinstance(value, float) and not math.isfinite(value):
                raise ConfigurationError(f"{sources.place(group, option)}: {wanted(option)}")


def wanted(option: cfg.Opt) -> str:
    """The values that this option accepts."""
    kind = option.type
    if isinstance(kind, types.List):
        kind = kind.item_type
    if choices := getattr(kind, "choices", None):
        return f"must be one of {', '.join(map(str, choices))}"
    text = next((text for known, text in _WANTED if isinstance(kind, known)), "something else")
    if schemes := getattr(kind, "schemes", None):
        text += f", of scheme {' or '.join(schemes)}"
    least, most = getattr(kind, "min", None), getattr(kind, "max", None)
    if least is not None and most is not None:
        return f"must be {text} from {least} to {most}"
    if least is not None:
        return f"must be {text}, at least {least}"
    return f"must be {text}" if most is None else f"must be {text}, at most {most}"


def _refused(exc: BaseException) -> str:
    """The message of one of our own types, if that refused the value."""
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, Refused):
            return str(cause)
        cause = cause.__cause__ or cause.__context__
    return ""


def _unparsed(exc: cfg.ConfigFileParseError) -> str:
    cause = exc.__context__
    line = f", line {cause.lineno}" if isinstance(cause, iniparser.ParseError) else ""
    return f"{exc.config_file}{line}: is neither [group], option = value, a comment nor a continued value"


def _named(args: Sequence[str], default_files: Sequence[str]) -> str:
    return ", ".join([arg for arg in args if not arg.startswith("-")] or default_files)
