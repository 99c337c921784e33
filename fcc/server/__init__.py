"""The client's side: the aiohttp application and how it is run."""
