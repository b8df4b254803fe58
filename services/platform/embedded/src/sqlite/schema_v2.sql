-- 1 while a receiver has the message; 0 when it was put back to wait. Tells what a killed process held.
ALTER TABLE messages ADD COLUMN in_hand INTEGER NOT NULL DEFAULT 0;
