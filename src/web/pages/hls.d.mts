/** At run time the gateway serves hls.js under this name; here its types are lent to the editor. */
export { default } from 'hls.js'
