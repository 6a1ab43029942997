"""Other people's test suites, run directly and through dbgate, and the difference."""
