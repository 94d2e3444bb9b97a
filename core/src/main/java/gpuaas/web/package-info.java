/**
 * What of a lease is reached in a browser: its declared ports and its Jupyter, as what is wanted
 * beside what is there.
 *
 * <p>Promises that Jupyter is started where it is wanted, started again when it died, and ended
 * where it is not wanted any more; and that nothing is kept of a lease that has ended. Start at
 * {@link gpuaas.web.Webs}.
 */
@NullMarked
package gpuaas.web;

import org.jspecify.annotations.NullMarked;
