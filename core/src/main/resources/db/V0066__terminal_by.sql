-- What somebody came with who asked for the token, and when: a terminal closes when that opens nothing any more.
-- Tokens from before are a few minutes old, and their owners ask again.
delete from terminal_token;
alter table terminal_token
  add column credential text not null check (length(credential) <= 400),
  add column made_at timestamptz not null;
