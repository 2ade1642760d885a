/** Demands a token of every client. */
import { defineGateway } from 'plait';
import { customers } from './authenticators.ts';

export default defineGateway({ authenticators: [customers] });
