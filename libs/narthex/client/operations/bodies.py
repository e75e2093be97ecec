"""Request bodies made of arguments."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from narthex.contracts.errors import Invalid

Body = TypeVar("Body", bound=BaseModel)


def made(model: type[Body], /, **fields: Any) -> Body:
    """The body, of those arguments that are not None; Invalid with a sentence that names the wrong one."""
    try:
        return model.model_validate({name: value for name, value in fields.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Invalid(f"{where}: {first['msg'].removeprefix('Value error, ')}") from None
