"""Which proxy does the environment name for a URL? Asked once for each provider.

aiohttp's own `trust_env` asks with every request, reads ~/.netrc in a thread for it, and refuses a
request with a key where that file names the host.
"""

from urllib.request import getproxies, proxy_bypass

from yarl import URL

__all__ = ["proxy_for"]


def proxy_for(url: str) -> URL | None:
    """HTTPS_PROXY, HTTP_PROXY and NO_PROXY as everywhere; None for a URL that is none."""
    try:
        target = URL(url)
        named = getproxies().get(target.scheme)
        if not named or target.host is None or proxy_bypass(target.host):
            return None
        return URL(named if "://" in named else f"http://{named}")
    except ValueError:
        return None
