"""Which network addresses are the public internet's: what a server may be sent to by data it was given."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_CARRYING_OTHERS = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"), IPv6Network("::/96"))
"""NAT64 and IPv4-compatible addresses lead to IPv4 addresses that are written inside them."""


def is_public(address: str) -> bool:
    """Whether an address, in its canonical text, is public: not loopback, private, link-local or the like.

    IPv6 addresses that stand for an IPv4 address are what that one is, or none of these where tunnels decide.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return _is_global(found.ipv4_mapped)
        if found.sixtofour is not None or found.teredo is not None or found.is_site_local:
            return False
        if any(found in network for network in _CARRYING_OTHERS):
            return False
    return _is_global(found)


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved
