export { default } from '../../../compositions/customer-dashboard.ts';
