"""Request bodies made of arguments."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from narthex.contracts.errors import Invalid
from narthex.contracts.sentences import sentence

Body = TypeVar("Body", bound=BaseModel)


def made(model: type[Body], /, **fields: Any) -> Body:
    """The body, of those arguments that are not None; Invalid with a sentence that names the wrong one."""
    try:
        return model.model_validate({name: value for name, value in fields.items() if value is not None})
    except ValidationError as error:
        raise Invalid(sentence(error)) from None
