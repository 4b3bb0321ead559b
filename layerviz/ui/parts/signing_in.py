"""Who looks: where ``LAYERVIZ_LOGIN`` is set, each person signs in and has runs of their own."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from layerviz import runs
from layerviz.errors import ConfigError

LOGIN_VARIABLE = "LAYERVIZ_LOGIN"  # environment variable
_SECRETS = ".streamlit/secrets.toml"
_HOW = "See .readme/serving.md."


def is_login_wanted() -> bool:
    """Return whether the page is only for people who have signed in."""
    return runs.is_switched_on(LOGIN_VARIABLE)


def own_runs_folder() -> Path:
    """Return the folder with the runs of whoever looks: that of all, or their own.

    Raises
    ------
    ConfigError
        If people sign in here and this one has not: a last guard, as the page asks them first.
    """
    root = runs.runs_folder()
    if not is_login_wanted():
        return root
    if not _is_signed_in():
        raise ConfigError("You are not signed in.", "Reload the page and sign in.")
    return runs.folder_of_user(root, str(st.user.get("iss") or ""), str(st.user["sub"]), _name())


def admit() -> bool:
    """Return whether the page may be drawn: where people sign in here, this one has; else ask.

    Raises
    ------
    ConfigError
        If nobody could sign in, as something of the server is not set up.
    """
    if not is_login_wanted() or _is_signed_in():
        return True
    if importlib.util.find_spec("authlib") is None:
        raise ConfigError(
            f"{LOGIN_VARIABLE} is set, but Authlib is not installed, with which people sign in.",
            f"On the server: pip install Authlib. {_HOW}",
        )
    providers = _providers()
    st.title("layerviz", anchor=False)
    st.write("Sign in to see your runs and to make new ones. Nobody else sees them on this page.")
    for name in providers:
        st.button(
            f"Sign in with {name}" if name else "Sign in",
            type="primary",
            key=f"sign_in-{name}",
            icon=":material/login:",
            on_click=st.login,
            args=(name,) if name else (),
        )
    return False


def account() -> None:
    """Say who is signed in, and let them sign out."""
    if not is_login_wanted():
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="account"):
        st.text(_name(), width="stretch")
        st.button(
            "Sign out",
            icon=":material/logout:",
            type="tertiary",
            key="sign_out",
            on_click=st.logout,
        )


def _is_signed_in() -> bool:
    # Without [auth] in the secrets, the attribute does not exist.
    return bool(st.user.get("is_logged_in")) and bool(st.user.get("sub"))


def _name() -> str:
    """Return what the person is called, in one line."""
    user = st.user
    name = user.get("email") or user.get("preferred_username") or user.get("name") or user["sub"]
    return re.sub(r"\s+", " ", str(name))[:120]


def _providers() -> list[str]:
    """Return the names of those with whom people can sign in; "" for one without a name.

    Raises
    ------
    ConfigError
        If there is none.
    """
    try:
        auth = st.secrets["auth"]
    except (FileNotFoundError, KeyError):
        auth = {}
    named = [
        str(name)
        for name, value in auth.items()
        if isinstance(value, Mapping) and "client_id" in value
    ]
    if "client_id" in auth:
        return ["", *named]
    if not named:
        raise ConfigError(
            f"{LOGIN_VARIABLE} is set, but {_SECRETS} names nobody with whom people sign in.",
            f"Write an [auth] section into it. {_HOW}",
        )
    return named
