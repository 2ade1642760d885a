export { default } from '../../../compositions/order-summary.ts';
