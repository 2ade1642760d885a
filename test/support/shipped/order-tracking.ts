export { default } from '../../../compositions/order-tracking.ts';
