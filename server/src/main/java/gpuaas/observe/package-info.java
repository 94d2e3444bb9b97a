/**
 * How what happens in here is seen from outside: logs, measurements and traces.
 *
 * <p>Promises that nobody outside can write a log line. Start at {@link gpuaas.observe.LogFormat}.
 */
@NullMarked
package gpuaas.observe;

import org.jspecify.annotations.NullMarked;
