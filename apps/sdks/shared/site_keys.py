"""Site keys: which site the key that an SDK carries stands for."""


class Keys:
    """The setting SITE_KEYS: the only keys that are taken; without it, every key is the site_id itself."""

    def __init__(self, setting: str) -> None:
        pairs = (pair.partition("=") for pair in setting.split(",") if pair)
        self.sites = {key.strip(): site.strip() for key, _, site in pairs}

    def site(self, key: object) -> str | None:
        """The site of a key, None where there is none."""
        if not isinstance(key, str) or not key:
            return None
        return self.sites.get(key) if self.sites else key
