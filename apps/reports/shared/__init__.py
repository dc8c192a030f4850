"""What reports share: their query, their execution, their responses, and the decorators of their handlers."""
