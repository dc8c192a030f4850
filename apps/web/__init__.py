"""What the handlers of both apps share: OpenAPI, problems, parameters, bodies, deadlines."""
