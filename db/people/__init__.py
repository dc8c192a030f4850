"""People's rights: exporting all that is kept of a person, and erasing them so that all counts stay what they were."""
