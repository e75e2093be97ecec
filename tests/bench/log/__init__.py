"""The request log under load: how fast records come in, how soon they are seen, how long questions take."""
