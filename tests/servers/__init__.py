"""What runs beside the tests: servers, apps, workers, proxies."""
