"""Signing in at a second, independent OIDC provider: npm oidc-provider."""
