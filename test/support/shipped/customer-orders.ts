export { default } from '../../../compositions/customer-orders.ts';
