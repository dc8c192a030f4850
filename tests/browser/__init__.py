"""What only a real browser can show: `pytest tests/browser`, with Playwright's Chromium or one on the PATH."""
