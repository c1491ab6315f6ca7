export { OWN_READ } from '../capture/own-read';
