"""The HTTP server of both apps: limits of connections, before an app sees a request, and checks of the start."""
