"""Who is at the other end: the one place that reads forwarding headers.

Guarantees: without TRUSTED_PROXIES the answer is the address of the connection, whatever headers
say. With a number of proxies, or their networks, it is the address that the outermost of them saw;
what a client wrote into the header itself stands further left and is never reached.

Not guaranteed: that a configured number is right. If clients can reach the application past a
proxy, they can write addresses; firewall it, or name networks.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Protocol

from django.conf import settings

_HEADER = "HTTP_X_FORWARDED_FOR"
_MAX_HOPS = 20  # longer chains are an attack, not a network
_IPV6_PREFIX = 64  # what one customer gets at least

Address = IPv4Address | IPv6Address


class HasMeta(Protocol):
    """A request of Django or of REST framework."""

    @property
    def META(self) -> dict[str, Any]: ...


def client_address(request: HasMeta) -> str | None:
    """The caller's address in its normal spelling; None when the connection has none."""
    peer = _read(request.META.get("REMOTE_ADDR", ""))
    proxies = settings.TRUSTED_PROXIES
    if not proxies:
        return str(peer) if peer else None
    # From the nearest to the farthest; a socket of the file system has no address itself.
    chain = [peer, *_forwarded(request.META.get(_HEADER, ""))]
    found = _beyond(chain, proxies) if isinstance(proxies, int) else _outside(chain, proxies)
    return str(found) if found else None


def network_of(address: str) -> str:
    """What counts as one caller: the address, or of IPv6 its /64."""
    read = _read(address)
    if isinstance(read, IPv6Address):
        return str(ip_network((read, _IPV6_PREFIX), strict=False))
    return str(read) if read else address


def _forwarded(header: str) -> list[Address | None]:
    entries = header.rsplit(",", _MAX_HOPS)[-_MAX_HOPS:] if header else []
    return [_read(entry) for entry in reversed(entries)]


def _beyond(chain: list[Address | None], proxies: int) -> Address | None:
    """The address behind `proxies` proxies, or the last readable one before it."""
    found = chain[0]
    for address in chain[1 : proxies + 1]:
        if address is None:
            break
        found = address
    return found


def _outside(chain: list[Address | None], networks: list[str]) -> Address | None:
    """The first address that is no trusted proxy, or the last readable one before it."""
    trusted = [ip_network(network) for network in networks]
    found = chain[0]
    for address in chain if chain[0] else chain[1:]:
        if address is None:
            break
        found = address
        if not any(address in network for network in trusted):
            break
    return found


@lru_cache(maxsize=1024)
def _read(text: str) -> Address | None:
    """An address, also as `[::1]:443`, `192.0.2.1:443` or `fe80::1%eth0`."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        read = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = read.ipv4_mapped if isinstance(read, IPv6Address) else None
    return mapped or read
