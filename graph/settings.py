"""Where things are and how large they may be: the environment, `.env`, then the defaults."""

from __future__ import annotations

from pathlib import Path

import platformdirs
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from graph.purposes import Purpose, opens_personal_data
from graph.roles import Role


class Settings(BaseSettings):
    """All settings; each can be given as an environment variable or in `.env`.

    `NEO4J_*` name a server of the user's own; without `NEO4J_URI` the embedded Neo4j is used,
    its store under `home`. `SHICHENG_*` set the rest.
    """

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    home_path: Path | None = Field(None, validation_alias="SHICHENG_HOME")
    cache_path: Path | None = Field(None, validation_alias="SHICHENG_CACHE")
    neo4j_uri: str | None = Field(None, validation_alias="NEO4J_URI")
    neo4j_username: str = Field("neo4j", validation_alias="NEO4J_USERNAME")
    neo4j_password: SecretStr | None = Field(None, validation_alias="NEO4J_PASSWORD")
    neo4j_database: str = Field("neo4j", validation_alias="NEO4J_DATABASE")
    neo4j_version: str = Field("2026.08.1", validation_alias="SHICHENG_NEO4J_VERSION")
    idle_minutes: float = Field(15.0, gt=0, validation_alias="SHICHENG_IDLE_MINUTES")
    heap_mb: int | None = Field(None, ge=128, validation_alias="SHICHENG_HEAP_MB")
    keep_revisions: int = Field(3, ge=2, validation_alias="SHICHENG_KEEP_REVISIONS")
    undo_loads: int = Field(3, ge=0, le=10, validation_alias="SHICHENG_UNDO_LOADS")
    source_rank: str = Field("", validation_alias="SHICHENG_SOURCE_RANK")
    removal_share: float = Field(0.05, ge=0, le=1, validation_alias="SHICHENG_REMOVAL_SHARE")
    read_seconds: float = Field(30.0, gt=0, validation_alias="SHICHENG_READ_SECONDS")
    result_mb: int = Field(32, gt=0, validation_alias="SHICHENG_RESULT_MB")
    spool_mb: int = Field(1024, gt=0, validation_alias="SHICHENG_SPOOL_MB")
    spool_seconds: float = Field(600.0, gt=0, validation_alias="SHICHENG_SPOOL_SECONDS")

    role: Role = Field("analyst", validation_alias="SHICHENG_ROLE")
    # For what a data steward reads personal data, where nobody is asked (`--purpose`).
    purpose: Purpose = Field("", validation_alias="SHICHENG_PURPOSE")
    stewards: str = Field("", validation_alias="SHICHENG_STEWARDS")
    # Names of a provider's claims that hold a visitor's provinces and industries.
    province_claim: str = Field("", validation_alias="SHICHENG_PROVINCE_CLAIM")
    industry_claim: str = Field("", validation_alias="SHICHENG_INDUSTRY_CLAIM")
    # Networks that count as this machine where nobody signs in, by commas: a container's own.
    open_clients: str = Field("", validation_alias="SHICHENG_OPEN_CLIENTS")

    @property
    def home(self) -> Path:
        """The data folder: the store, its password, the snapshots, the logs."""
        return (self.home_path or Path(platformdirs.user_data_dir("shicheng"))).expanduser()

    @property
    def cache(self) -> Path:
        """What can be fetched again: Neo4j's jars."""
        return (self.cache_path or Path(platformdirs.user_cache_dir("shicheng"))).expanduser()

    @property
    def opens_personal_data(self) -> bool:
        """Whether personal data opens to the role of these settings for the stated purpose."""
        return opens_personal_data(self.role, self.purpose)

    def at(self, home: Path | None) -> Settings:
        """These settings with another data folder (`--home`)."""
        return self if home is None else self.model_copy(update={"home_path": home})
