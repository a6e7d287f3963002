"""Whether a pretrained model is here or can be had, asked before a library tries again and again to fetch it."""

from __future__ import annotations

from pathlib import Path

from nucleate.files.extras import llm_extra

TIMEOUT = 3.0
"""Seconds in which the Hugging Face Hub has to answer."""


def only_local(name: str, revision: str | None = None) -> bool:
    """Whether a model has to be loaded without asking the Hub: it is a folder, or cached while there is no network.

    Args:
        name: a local folder, or a name on the Hub.
        revision: branch, tag or commit on the Hub.

    Raises:
        UserError: huggingface_hub is not installed.
        FileNotFoundError: the model is neither here nor to be had; the message says why, in one line.
    """
    if Path(name).is_dir():
        return True
    with llm_extra():
        from huggingface_hub import HfApi, try_to_load_from_cache
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError
    try:
        HfApi().model_info(name, revision=revision, timeout=TIMEOUT)
    except HFValidationError as error:
        raise FileNotFoundError("there is no such folder, and it is no name on the Hub") from error
    except HfHubHTTPError:
        return False  # the Hub has answered, and says more to who asks for the files
    except Exception as error:  # of requests, httpx or httpx2, by version
        if isinstance(try_to_load_from_cache(name, "config.json", revision=revision), str):
            return True
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise FileNotFoundError(
            f"there is no such folder, it is not in the cache of the Hub, and the Hub cannot be reached ({reason})"
        ) from error
    return False
