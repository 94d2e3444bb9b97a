package gpuaas.session;

import java.time.Duration;

/**
 * The limits of sessions; each is a setting.
 *
 * @param refreshLifetime how long a session lasts that is not used
 * @param longest how long a session lasts that is used
 * @param keptFor how long sessions are shown after they expired
 * @param noteEvery how exact the time is at which one was last seen
 * @param codeLifetime from the log-in page to the exchange
 */
public record SessionRules(
    Duration refreshLifetime,
    Duration longest,
    Duration keptFor,
    Duration noteEvery,
    Duration codeLifetime) {}
