"""`python -m apps`, the same as `tjra`."""

from apps.cli import main

main()
