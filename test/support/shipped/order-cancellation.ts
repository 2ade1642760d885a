export { default } from '../../../compositions/order-cancellation.ts';
