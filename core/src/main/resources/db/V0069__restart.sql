-- How often an environment was to be started anew; its provider is told the number, and does each once.
alter table lease add column restarts integer not null default 0;
