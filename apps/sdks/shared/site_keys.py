"""Site keys: which site an SDK's key stands for."""


class Keys:
    """The setting SITE_KEYS: the only valid keys; without it, every key is a site_id itself."""

    def __init__(self, setting: str) -> None:
        pairs = (pair.partition("=") for pair in setting.split(",") if pair)
        self.sites = {key.strip(): site.strip() for key, _, site in pairs}

    def site(self, key: object) -> str | None:
        """The site of a key, or None."""
        if not isinstance(key, str) or not key:
            return None
        return self.sites.get(key) if self.sites else key
