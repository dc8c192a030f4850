"""What only a real browser can show: `pytest tests/browser`, with a Chromium on the PATH."""
