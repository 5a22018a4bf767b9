"""Gives chance its seed when a session is set up, so that the session's config says what it was."""

from __future__ import annotations

import secrets

from fastpose.config import Config

__all__ = ["with_seed"]


def with_seed(config: Config) -> Config:
    """Return the config with a seed drawn for its protocol, where it has one that is null."""
    protocol = config.protocol
    if getattr(protocol, "seed", 0) is not None:
        return config
    drawn = protocol.model_copy(update={"seed": secrets.randbelow(2**32)})
    return config.model_copy(update={"protocol": drawn})
