"""The content security policy of every answer (CSP level 3). The door adds the other headers.

Gradio forces three exceptions, each as narrow as it can be: styles inline (its components set
`style`), `data:` fonts and images, and inline scripts that the shell signs with a nonce.
"""

import secrets


def nonce() -> str:
    """A fresh value for one page."""
    return secrets.token_urlsafe(16)


def policy(page_nonce: str = "") -> str:
    """The content security policy: this origin and nothing else."""
    scripts = "'self'" + (f" 'nonce-{page_nonce}'" if page_nonce else "")
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )
