"""Whose address it is, with and without proxies, and what spoofing brings."""

from typing import Any

import pytest
from django.test import RequestFactory

from lexiflow.http.client_address import client_address, network_of

CLIENT, PROXY, SPOOFED = "198.51.100.7", "10.0.0.1", "203.0.113.9"


def address(settings: Any, proxies: Any, peer: str, forwarded: str | None = None) -> str | None:
    settings.TRUSTED_PROXIES = proxies
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_address(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers))


@pytest.mark.parametrize(
    "forwarded", [None, SPOOFED, f"{SPOOFED}, {PROXY}", "", ",,,", "x" * 9_000]
)
def test_without_trusted_proxies_headers_are_not_read(settings: Any, forwarded: str | None) -> None:
    assert address(settings, 0, CLIENT, forwarded) == CLIENT


@pytest.mark.parametrize("header", ["X-Real-IP", "Forwarded", "X-Client-IP", "CF-Connecting-IP"])
@pytest.mark.parametrize("proxies", [0, 1, ["10.0.0.0/8"]])
def test_other_headers_are_never_read(settings: Any, header: str, proxies: Any) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR=PROXY, headers={header: SPOOFED})
    assert client_address(request) == PROXY


@pytest.mark.parametrize(
    ("proxies", "forwarded", "found"),
    [
        (1, CLIENT, CLIENT),
        (1, f"{SPOOFED}, {CLIENT}", CLIENT),
        (1, f"{SPOOFED},{SPOOFED} ,{CLIENT}", CLIENT),
        (1, None, PROXY),
        (1, "", PROXY),
        (1, "nonsense", PROXY),
        (1, f"{CLIENT}, nonsense", PROXY),
        (2, f"{SPOOFED}, {CLIENT}, 10.0.0.2", CLIENT),
        (2, CLIENT, CLIENT),
        (["10.0.0.0/8"], CLIENT, CLIENT),
        (["10.0.0.0/8"], f"{SPOOFED}, {CLIENT}, 10.0.0.2, 10.0.0.3", CLIENT),
        (["10.0.0.0/8"], f"{SPOOFED}, nonsense, 10.0.0.2", "10.0.0.2"),
        (["10.0.0.0/8"], "10.0.0.4, 10.0.0.2", "10.0.0.4"),
        (["192.0.2.0/24"], CLIENT, PROXY),
    ],
)
def test_the_address_is_what_the_outermost_trusted_proxy_saw(
    settings: Any, proxies: Any, forwarded: str | None, found: str
) -> None:
    assert address(settings, proxies, PROXY, forwarded) == found


def test_endless_chains_are_cut(settings: Any) -> None:
    chain = ", ".join([SPOOFED] * 5_000 + [CLIENT])
    assert address(settings, 1, PROXY, chain) == CLIENT
    trusted = ", ".join(["10.0.0.9"] * 5_000)
    assert address(settings, ["10.0.0.0/8"], PROXY, trusted) == "10.0.0.9"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("192.0.2.1:4711", "192.0.2.1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ('"[2001:db8::1]"', "2001:db8::1"),
    ],
)
def test_an_address_has_one_spelling(settings: Any, written: str, read: str) -> None:
    assert address(settings, 1, PROXY, written) == read


def test_a_socket_of_the_file_system_has_no_address_but_its_proxy_tells_one(settings: Any) -> None:
    assert address(settings, 0, "", SPOOFED) is None
    assert address(settings, 1, "", CLIENT) == CLIENT
    assert address(settings, ["10.0.0.0/8"], "", f"{CLIENT}, 10.0.0.2") == CLIENT


def test_ipv6_counts_by_its_64() -> None:
    assert network_of("2001:db8:1:2:aaaa::1") == network_of("2001:db8:1:2:ffff::9")
    assert network_of("2001:db8:1:2::1") != network_of("2001:db8:1:3::1")
    assert network_of("192.0.2.1") == "192.0.2.1"
