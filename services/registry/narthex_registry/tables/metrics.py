"""Metrics that projects make for themselves, and the series that have values; the values are the log store's."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from narthex_registry.tables.base import Base, now


class Metric(Base):
    """Its id is a number: the API's clients know it so."""

    __tablename__ = "metrics"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    created: Mapped[datetime] = mapped_column(default=now)
    updated: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str] = mapped_column(String(64))
    metric_type: Mapped[str]  # delta | gauge
    unit: Mapped[str | None]
    labels: Mapped[list[str]] = mapped_column(default=list)
    description: Mapped[str | None]


class Series(Base):
    """One set of labels of a metric."""

    __tablename__ = "series"
    __table_args__ = (UniqueConstraint("metric_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    metric_id: Mapped[int] = mapped_column(ForeignKey("metrics.id"))
    labels: Mapped[dict[str, str]] = mapped_column(default=dict)
    key: Mapped[str]  # the labels in one text, in order
