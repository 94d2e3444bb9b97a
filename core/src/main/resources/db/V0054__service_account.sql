-- Programs with a name of their own in a project. A row of person stands behind each, for what it makes and does.
-- Retention: kept, so that the trail can name them.
create table service_account (
  id         uuid primary key references person,
  account_id text not null unique check (account_id ~ '^sa-[a-z0-9]{4,40}$'),
  tenant_id  uuid not null references tenant,
  project_id uuid not null references project,
  name       text not null check (length(name) between 1 and 200),
  slug       text not null check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  role       text not null check (role in ('viewer', 'member', 'admin', 'owner')),
  scopes     text[] not null,
  made_by    uuid not null references person,
  made_at    timestamptz not null,
  deleted_at timestamptz
);
create unique index service_account_slug on service_account (project_id, slug) where deleted_at is null;
create index service_account_by_project on service_account (project_id, made_at desc, id desc);

-- What they prove by who they are: a public key, or a secret as a hash.
-- Retention: kept, so that the trail can name them.
create table service_account_key (
  key_id       text not null check (key_id ~ '^[A-Za-z0-9._-]{1,64}$'),
  account      uuid not null references service_account,
  algorithm    text not null check (algorithm in ('RS256', 'ES256', 'EDDSA', 'SECRET')),
  public_key   bytea,
  secret_hash  bytea,
  made_at      timestamptz not null,
  expires_at   timestamptz,
  revoked_at   timestamptz,
  last_used_at timestamptz,
  primary key (account, key_id),
  check ((public_key is null) = (algorithm = 'SECRET')),
  check ((secret_hash is null) = (algorithm <> 'SECRET'))
);
create index service_account_key_by_account on service_account_key (account, made_at desc);

-- Assertions that were used, by the id they gave themselves: none is good twice.
-- Retention: deleted when they would have expired.
create table used_assertion (
  account    uuid not null references service_account,
  jti        text not null check (length(jti) between 1 and 255),
  expires_at timestamptz not null,
  primary key (account, jti)
);
create index used_assertion_expires on used_assertion (expires_at);
