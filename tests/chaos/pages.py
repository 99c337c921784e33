"""What do proxies show people?"""

__all__ = ["HTML"]

HTML = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
