/**
 * What those who run the platform can do with everybody's leases, and with everybody. Promises that
 * each such step is in the audit trail of the project that it is about, with the words that were
 * given for it, and that nothing is said to be free that may still be used. Start with {@link
 * gpuaas.oversight.Oversight}.
 */
@NullMarked
package gpuaas.oversight;

import org.jspecify.annotations.NullMarked;
