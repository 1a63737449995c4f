"""The one thing that programs may do without a log-in, described as OpenAPI 3.1."""

from typing import Any

_ASK: dict[str, Any] = {
    "type": "object",
    "required": ["email"],
    "properties": {
        "email": {"type": "string", "format": "email", "maxLength": 254},
        "name": {"type": "string", "maxLength": 120},
        "form": {"type": "string", "description": "The form's name in addresses; without it, the publication's first one."},
        "answers": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Answers to the form's own questions, by key."},
        "via": {"type": "string", "description": "The code of a link or the name of a channel that brought this person."},
        "wording": {"type": "integer", "description": "The number of the consent's wording that the person was shown; it stands in the form's page."},
        "work": {"type": "string", "description": "The challenge of a 429, worked on, or half a minute later."},
        "number": {"type": "string", "description": "The number that solves it: SHA-256 of “challenge:number” begins with so many zero bits."},
    },
}


def _answer(text: str) -> dict[str, str]:
    return {"description": text}


DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Brieftaube", "version": "1"},
    "paths": {
        "/api/v1/publications/{slug}/subscribe": {
            "post": {
                "summary": "Ask for a letter. A mail with a question goes to the address; nothing else happens until its button is pressed.",
                "parameters": [{"name": "slug", "in": "path", "required": True, "schema": {"type": "string"}}],
                "requestBody": {"required": True, "content": {"application/json": {"schema": _ASK}}},
                "responses": {
                    "202": _answer("Taken. The answer is the same whether the address was known or not."),
                    "400": _answer("This is no JSON object."),
                    "403": _answer("The form is closed, or does not take sign-ups from this site."),
                    "404": _answer("There is no such publication or form."),
                    "422": _answer("Something is wrong; “errors” says what, by field."),
                    "429": _answer("Unusually many sign-ups come in. Send it again with “work” and “number”, or with “work” alone after half a minute."),
                },
            }
        }
    },
}
