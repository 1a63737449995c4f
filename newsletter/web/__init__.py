"""The web application: create_app, errors, security headers, the design system, the first start."""

from newsletter.web.app import create_app

__all__ = ["create_app"]
