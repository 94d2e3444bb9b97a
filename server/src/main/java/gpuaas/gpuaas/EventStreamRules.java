package gpuaas.gpuaas;

import java.time.Duration;

/**
 * The limits of event streams.
 *
 * @param heartbeat the longest silence
 * @param recheckEvery how often it is asked whether the caller may still listen
 * @param most open at once, in all
 * @param mostPerCaller open at once, for each user
 */
public record EventStreamRules(
    Duration heartbeat, Duration recheckEvery, int most, int mostPerCaller) {}
