-- A tenant of one person, or of many.
alter table tenant add column kind text not null default 'personal' check (kind in ('personal', 'enterprise'));

-- Who is what in a tenant. Retention: until they are removed; the audit trail keeps that they were.
create table tenant_member (
  tenant_id uuid not null references tenant,
  person_id uuid not null references person,
  role      text not null check (role in ('viewer', 'member', 'admin', 'owner')),
  made_at   timestamptz not null,
  primary key (tenant_id, person_id)
);
create index tenant_member_by_person on tenant_member (person_id);

-- Who is what in a project. Retention: as above.
create table project_member (
  project_id uuid not null references project,
  person_id  uuid not null references person,
  role       text not null check (role in ('viewer', 'member', 'admin', 'owner')),
  made_at    timestamptz not null,
  primary key (project_id, person_id)
);
create index project_member_by_person on project_member (person_id);

insert into tenant_member select project.tenant_id, person.id, 'owner', person.made_at
  from person join project on project.id = person.default_project_id;
insert into project_member select default_project_id, id, 'owner', made_at from person;

-- Words that make whoever shows them a member, once. Kept as hashes.
-- Retention: deleted 30 days after they expire.
create table invitation (
  id          uuid primary key,
  project_id  uuid not null references project,
  role        text not null check (role in ('viewer', 'member', 'admin', 'owner')),
  hash        bytea not null unique,
  made_by     uuid not null references person,
  made_at     timestamptz not null,
  expires_at  timestamptz not null,
  accepted_by uuid references person,
  revoked_at  timestamptz
);
create index invitation_by_project on invitation (project_id, made_at desc, id desc);
create index invitation_expires on invitation (expires_at);

create index project_by_tenant on project (tenant_id, made_at desc, id desc);
create index api_key_by_person on api_key (person_id, project_id) where revoked_at is null;
create index ssh_key_by_person on ssh_key (person_id, project_id);
