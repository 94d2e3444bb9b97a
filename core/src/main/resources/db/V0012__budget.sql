-- What a project, or an API key, may spend or use at most. Retention: until somebody deletes it.
create table budget (
  id               uuid primary key,
  tenant_id        uuid not null,
  project_id       uuid,
  api_key_id       uuid,
  period           text not null check (period in ('TOTAL', 'MONTH')),
  most_micros      bigint check (most_micros >= 0),
  most_gpu_seconds bigint check (most_gpu_seconds >= 0),
  made_at          timestamptz not null,
  check ((project_id is null) <> (api_key_id is null)),
  check (most_micros is not null or most_gpu_seconds is not null)
);
create unique index budget_once on budget (coalesce(project_id, api_key_id), period);
